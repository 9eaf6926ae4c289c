"""The black box: what the judge was told, kept on disk so that its decisions can be made again and compared.

`spell` and `recorder` run in the daemon; `unspell`, `segment` and `replay` only in `edged replay`.
"""
