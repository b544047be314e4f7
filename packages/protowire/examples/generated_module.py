"""Compiles a whole module that somebody else's betterproto generated, and uses it both ways.

The module here is the one that betterproto itself ships, with google.protobuf's own messages.
What can't be compiled is left to betterproto, and said by name.
"""

from betterproto.lib.google import protobuf

from protowire import DecodeError, JsonCodec, compile_messages, decode, encode, from_json, to_json


def main() -> None:
    """Compile, write, read, and refuse."""
    reasons = compile_messages(protobuf, leave_out=True)
    print(f"left to betterproto: {', '.join(sorted(reasons)) or 'nothing'}")

    api = protobuf.Api(name="example.Weather", methods=[protobuf.Method(name="Now")])
    assert decode(protobuf.Api, encode(api)) == api
    print(to_json(api))

    settings = from_json(protobuf.Struct, '{"limit": 5, "tags": ["a", null]}')
    print(sorted(settings.fields), to_json(settings))

    try:
        JsonCodec().decode(b'{"name": 5}', protobuf.Api)
    except DecodeError as error:
        print(error)


if __name__ == "__main__":
    main()
