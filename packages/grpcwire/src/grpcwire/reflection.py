"""Reflection and idempotency from a serialized FileDescriptorSet.

betterproto's classes keep no descriptors, so whoever generates them keeps the set
that the compiler read (`buf build -o`, `protoc --include_imports
--descriptor_set_out`) beside them. grpclib's reflection services, v1 and v1alpha,
answer from it; the set also says which methods have no side effects.
"""

from collections.abc import Collection
from typing import Any, Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import DESCRIPTOR as DURATION
from google.rpc.error_details_pb2 import DESCRIPTOR as ERROR_DETAILS
from grpclib.health.v1 import health_pb2
from grpclib.reflection.service import ServerReflection
from grpclib.reflection.v1 import reflection_pb2
from grpclib.reflection.v1alpha import reflection_pb2 as reflection_v1alpha_pb2

__all__ = ["idempotent_methods", "with_reflection"]

_OWN: Final = (
    health_pb2.DESCRIPTOR,
    reflection_pb2.DESCRIPTOR,
    reflection_v1alpha_pb2.DESCRIPTOR,
    DURATION,
    ERROR_DETAILS,
)
"""Files that no set needs to bring, each after those it imports: grpclib's own services,
which reflection names too, and the details that a status may carry.
"""


class _Pool:
    """A pool that also finds the file of an rpc, unlike protobuf's own."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - the name is protobuf's
        """The file that declares a symbol; raises KeyError."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            file: FileDescriptor = self._pool.FindMethodByName(symbol).containing_service.file
            return file


def with_reflection(services: Collection[Any], descriptor_set: bytes) -> list[Any]:
    """The services, followed by those that describe them to clients."""
    pool = DescriptorPool()
    names: set[str] = set()
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        pool.AddSerializedFile(file.SerializeToString())
        names.add(file.name)
    for own in _OWN:
        if own.name not in names:
            pool.AddSerializedFile(own.serialized_pb)
    return ServerReflection.extend(services, pool=_Pool(pool))


def idempotent_methods(descriptor_set: bytes) -> frozenset[str]:
    """The paths of the methods that are marked NO_SIDE_EFFECTS."""
    paths: set[str] = set()
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        package = f"{file.package}." if file.package else ""
        for service in file.service:
            for method in service.method:
                if method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS:
                    paths.add(f"/{package}{service.name}/{method.name}")
    return frozenset(paths)
