from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.wan.agent import Agent
from tests.wan.routers import BALANCE_20X
from wan.snmp_port import SnmpPort


@pytest.fixture(scope="module")
def module_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    agent = Agent(tmp_path_factory.mktemp("snmpd"))
    agent.start()
    yield agent
    agent.kill()


@pytest.fixture
def agent(module_agent: Agent) -> Agent:
    """A running snmpd that says what a calm Balance 20X says."""
    module_agent.serve(BALANCE_20X)
    return module_agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[SnmpPort]:
    """The process's one engine, in the loop of the module's tests."""
    opened = await SnmpPort.open()
    yield opened
    opened.close()
