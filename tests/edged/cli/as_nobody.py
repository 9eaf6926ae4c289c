"""`edgectl` run by somebody who may read next to nothing of this machine."""

AS_NOBODY = """
import os, sys
import edged.cli.postmortem, edged.cli.board
from typer.testing import CliRunner
from edged.cli.edgectl import app
CliRunner().invoke(app, [*sys.argv[1:], "--socket", "/nonexistent/control.sock"])
os.setgid(65534); os.setuid(65534)
app(sys.argv[1:])
"""
"""All is imported first, much of it only when the command is run, and then made nobody: interpreter and checkout may
lie where nobody may look.
"""
