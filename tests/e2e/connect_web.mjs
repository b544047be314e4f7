// The contract as pages and Node programs call it: every transport of connect-web,
// without generated code. What each call came to is reported for a test to judge.
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

const TRANSPORTS = {
  "connect json": (baseUrl) => createConnectTransport({ baseUrl }),
  "connect proto": (baseUrl) => createConnectTransport({ baseUrl, useBinaryFormat: true }),
  "connect GET": (baseUrl) => createConnectTransport({ baseUrl, useHttpGet: true }),
  "grpc-web proto": (baseUrl) => createGrpcWebTransport({ baseUrl }),
  "grpc-web json": (baseUrl) => createGrpcWebTransport({ baseUrl, useBinaryFormat: false }),
};

async function outcome(schema, call) {
  try {
    return toJson(schema, await call);
  } catch (error) {
    const { code, details } = ConnectError.from(error);
    return { code: Code[code], details: details.map((detail) => detail.type) };
  }
}

async function callAll(service, command, query) {
  const { createTask, getTask, listTasksByTag } = service.method;
  const create = (request) => outcome(createTask.output, command.createTask(request));
  const get = (request) => outcome(getTask.output, query.getTask(request));
  const list = (request) => outcome(listTasksByTag.output, query.listTasksByTag(request));
  const created = await create({ text: "täsk ☃", tags: ["tag1", "tag2"] });
  return {
    created,
    got: await get({ taskId: `${created.task?.id}`, consistencyToken: created.consistencyToken }),
    listed: await list({ tagName: "tag2", pageSize: 1 }),
    refused: await create({ text: " ", tags: [""] }),
    unknown: await get({ taskId: "2000000000" }),
    elsewhere: await outcome(getTask.output, command.getTask({ taskId: "1" })),
  };
}

export async function report({ command, query, descriptors }) {
  const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, base64Decode(descriptors)));
  const service = files.getService("task.TaskService");
  const found = {};
  for (const [name, transport] of Object.entries(TRANSPORTS)) {
    const [writes, reads] = [command, query].map((url) => createClient(service, transport(url)));
    found[name] = await callAll(service, writes, reads);
  }
  return found;
}
