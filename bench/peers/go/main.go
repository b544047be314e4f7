// A peer: grpc-go, storing nothing. It answers one canned task, or 100 of them,
// read from files at the start: an upper bound of what a Go service over a
// store could do.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"strconv"

	"bench/gen"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

type service struct {
	gen.UnimplementedTaskServiceServer
	task   gen.GetTaskResponse
	taskID string
	page   gen.ListTasksByTagResponse
}

func (s *service) CreateTask(_ context.Context, in *gen.CreateTaskRequest) (*gen.CreateTaskResponse, error) {
	return &gen.CreateTaskResponse{Task: &gen.Task{Id: 1, Text: in.Text, Tags: in.Tags}}, nil
}

func (s *service) GetTask(_ context.Context, in *gen.GetTaskRequest) (*gen.GetTaskResponse, error) {
	if in.TaskId != s.taskID {
		return nil, status.Error(codes.NotFound, "no such task")
	}
	return &s.task, nil
}

func (s *service) ListTasksByTag(_ context.Context, _ *gen.ListTasksByTagRequest) (*gen.ListTasksByTagResponse, error) {
	return &s.page, nil
}

func load(path string, message proto.Message) {
	body, err := os.ReadFile(path)
	if err == nil {
		err = proto.Unmarshal(body, message)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: peer PORT TASK_FILE PAGE_FILE")
	}
	s := &service{}
	load(os.Args[2], &s.task)
	load(os.Args[3], &s.page)
	s.taskID = strconv.Itoa(int(s.task.Task.Id))
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	gen.RegisterTaskServiceServer(server, s)
	log.Fatal(server.Serve(listener))
}
