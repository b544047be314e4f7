from google.protobuf.descriptor_pb2 import FileDescriptorSet

from taskpb import TaskServiceBase, descriptor_set


def test_descriptor_set_describes_every_method_that_is_served():
    [file] = FileDescriptorSet.FromString(descriptor_set()).file
    described = {
        f"/{file.package}.{service.name}/{method.name}"
        for service in file.service
        for method in service.method
    }
    assert described == TaskServiceBase().__mapping__().keys()
