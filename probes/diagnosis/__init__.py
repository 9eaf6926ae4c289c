"""The path diagnosis program: `python -m probes.diagnosis`, one order as JSON on stdin, one document on stdout.

The only part of the tree that may import scapy, and imported by none of it (docs/decisions/0002): what it finds out
goes through the two documents of `probes.path_document`. `packets` and `neighbour` speak scapy, `where`, `bleaching`
and `size_search` are pure, the rest is sockets and order.
"""
