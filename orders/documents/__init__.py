"""Documents on paper (帳票): typed values in, one PDF out. Pure: no model, no query, no settings.

`values` says what a document shows, `figures` computes its sums, `render` lays it out with typst and `templates/`.
"""
