"""JSON the full way, by shapes: every spelling that ProtoJSON allows, read and written."""
