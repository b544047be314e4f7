"""The contract as protobuf describes it to tools: the compiler's input, kept beside its code."""

from importlib.resources import files

__all__ = ["descriptor_set"]


def descriptor_set() -> bytes:
    """Return the serialized FileDescriptorSet of `proto/task.proto`, for reflection."""
    return files("taskpb.generated").joinpath("task.binpb").read_bytes()
