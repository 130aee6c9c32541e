"""Japanese documents as PDF, fast: text, lines and areas at given places, with embedded subset fonts.

`fonts` knows glyphs and widths, `file` writes the file, `page` draws in millimetres from the upper left corner, `flow`
wraps, fills pages and lays tables. Why not a general layout engine: `docs/documents.md`.
"""
