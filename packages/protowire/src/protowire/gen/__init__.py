"""Code that writes code: the source of a class's codecs and methods, and its installation.

compiler                reads classes, has their code written, installs it
methods                 the methods of compiled classes, and the source of `__init__`
encoder                 the source of a class's binary encoder
decoder                 the source of its binary decoder
decoder_pieces          what decoders are made of; readers of what is not a message of its own
quick_json_writer       the source of its quick way to JSON
quick_json_transcoder   the same from bytes alone
quick_json_reader       the source of its quick way from JSON
json_fallback           where quick code leaves off
called_names            what all generated code may call
source                  a piece of source in the making
"""
