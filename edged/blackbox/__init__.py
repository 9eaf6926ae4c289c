"""The black box: what the judge was told, kept on disk so that its decisions can be made again and compared.

`spell`, `recorder` and `writer` run in the daemon; `proven`, `unspell` and `replay` only in `edged replay`.
"""
