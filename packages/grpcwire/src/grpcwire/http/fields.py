"""Header fields as both versions of HTTP carry them: names in lowercase, values as bytes."""

__all__ = ["Field", "Fields"]

Field = tuple[bytes, bytes]
Fields = list[Field]
