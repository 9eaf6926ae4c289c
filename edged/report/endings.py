"""What the codes and errors at the end of a connection mean. Pure."""

import ssl
from collections.abc import Callable

from aiomqtt import MqttError, ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from edged.report.errors import LineDown
from edged.report.reading import BrokerCause


def rejection(error: MqttConnectError) -> LineDown:
    """CONNACK, MQTT 5, 3.2.2.2; paho gives the codes of 3.1.1 as those of MQTT 5."""
    code = error.rc.value if isinstance(error.rc, ReasonCode) else int(error.rc or 0)
    match code:
        case 0x84:
            cause = BrokerCause.VERSION
        case 0x86 | 0x87 | 0x8C:
            cause = BrokerCause.CREDENTIALS
        case _:
            cause = BrokerCause.REJECTED
    return LineDown(cause, str(error.rc), code)


def failure(
    error: MqttError,
    end: LineDown | None,
    protocol: ProtocolVersion,
    blames_clock: Callable[[ssl.SSLError], bool] | None = None,
) -> LineDown:
    """Before CONNACK. `end` is what paho told of it. aiomqtt keeps only the text of what the socket or TLS said; the
    error itself is its context.
    """
    match error.__context__:
        case ssl.SSLError() as reason if blames_clock and blames_clock(reason):
            return LineDown(BrokerCause.CLOCK, f"this box's clock is wrong: {reason}")
        case ssl.SSLError() as reason:
            return LineDown(BrokerCause.TLS, str(reason))
        case TimeoutError() as reason:
            return LineDown(BrokerCause.TIMEOUT, str(reason))
    if end and end.cause is BrokerCause.MALFORMED and protocol is ProtocolVersion.V311:
        # paho takes a CONNACK that refuses 3.1.1 for a protocol error
        return LineDown(BrokerCause.VERSION, "MQTT 3.1.1 is refused too")
    return end or LineDown(BrokerCause.LOST, str(error))


def ending(said_by_broker: bool, code: ReasonCode) -> LineDown:
    """DISCONNECT, MQTT 5, 3.14.2.1, or paho's word for what it met itself."""
    if said_by_broker:
        return LineDown(BrokerCause.DISCONNECTED, str(code), code.value)
    match code.value:
        case 0x82:
            return LineDown(BrokerCause.MALFORMED, "what came was not MQTT")
        case 0x8D:
            return LineDown(BrokerCause.SILENT, "no answer to a ping")
        case _:
            return LineDown(BrokerCause.LOST, "the connection ended")
