"""What a NOC needs to receive edged's telemetry without loss and without doubles: docs/telemetry.md says the contract.

`ranges`, `book`, `asking`, `presence`, `looks`, `reading` and `intake` are pure: no socket, no file, time is an
argument. `disk` is SQLite, `line` is MQTT, `figures` is Prometheus, `report` is for people and benches. Nothing of
edged is needed; aiomqtt and prometheus-client are.
"""
