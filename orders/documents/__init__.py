"""Documents on paper (帳票): typed values in, one PDF out. Pure: no model, no query, no settings.

`values` says what a document shows, `figures` computes its sums, and the other files draw it with `oms.kernel.pdf`.
"""
