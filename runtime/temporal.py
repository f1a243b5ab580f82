"""One way to reach Temporal, whether it runs in this process group, in a cluster or in Temporal Cloud."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache

import structlog
from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client, Interceptor
from temporalio.common import SearchAttributeIndexedValueType
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from runtime.folder import address_in
from runtime.logs import NATIVE
from runtime.payloads import CONVERTER
from runtime.settings import TEMPORAL_NAMESPACE, Settings
from workflows.addresses import SEARCH_ATTRIBUTES

RETENTION = timedelta(days=90)  # A closed run stays readable for a quarter: the time between two releases, and more.

HEARTBEAT = timedelta(seconds=5)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds between two attempts to reach a server that is not up yet
KINDS = {
    "Keyword": SearchAttributeIndexedValueType.KEYWORD,
    "Bool": SearchAttributeIndexedValueType.BOOL,
    "Datetime": SearchAttributeIndexedValueType.DATETIME,
}

log = structlog.get_logger(component="temporal")

SearchAttributes = Mapping[str, SearchAttributeIndexedValueType]


class TemporalUnreachableError(Exception):
    """Nobody answered at the address, or it refused this client."""


async def connect(
    settings: Settings, *, interceptors: Sequence[Interceptor] = (), address: str | None = None
) -> Client:
    """A client that speaks pydantic, for the namespace of the settings.

    `address` (`host:port`) names the embedded server: on loopback, without TLS or key, and whatever Temporal's
    environment variables say is then left aside. Without it, TLS, API key and profile come from Temporal's
    standard variables and file; OLIVE_TEMPORAL_ADDRESS and OLIVE_TEMPORAL_NAMESPACE win over theirs. Where none of
    them names a server, it is the embedded one of the data folder, so that `olive verify` beside `olive up` finds it.

    Raises TemporalUnreachableError.
    """
    config = _embedded_config(settings, address) if address else _standard_config(settings)
    try:
        return await Client.connect(
            **config, data_converter=CONVERTER, interceptors=interceptors, runtime=_beating_runtime()
        )
    except RuntimeError as error:
        raise TemporalUnreachableError(f"no Temporal server answers at {config['target_host']}: {error}") from error


@cache
def _beating_runtime() -> Runtime:
    """The native half of every client of this process; its workers tell Temporal often that they are alive."""
    # Its own lines are no JSON and quote what servers and people said: they go where ours go, without their values.
    forwarding = LogForwardingConfig(logger=logging.getLogger(NATIVE), append_log_fields_to_message=False)
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=LoggingConfig.default.filter, forwarding=forwarding))
    return Runtime(telemetry=telemetry, worker_heartbeat_interval=HEARTBEAT)


def _embedded_config(settings: Settings, address: str) -> ClientConnectConfig:
    return ClientConnectConfig(
        target_host=address, namespace=settings.temporal_namespace or TEMPORAL_NAMESPACE, tls=False
    )


def _standard_config(settings: Settings) -> ClientConnectConfig:
    config = ClientConfig.load_client_connect_config()
    if settings.temporal_address:
        config["target_host"] = settings.temporal_address
    if settings.temporal_namespace:
        config["namespace"] = settings.temporal_namespace
    config.setdefault("namespace", TEMPORAL_NAMESPACE)
    if "target_host" in config:
        return config
    embedded = address_in(settings.temporal_dir) if settings.is_development else None
    if embedded is None:
        here = f", and none runs in {settings.temporal_dir} (`olive up` starts it)" if settings.is_development else ""
        message = f"no Temporal server is named{here}: set OLIVE_TEMPORAL_ADDRESS or TEMPORAL_ADDRESS"
        raise TemporalUnreachableError(message)
    return _embedded_config(settings, embedded)


async def ensure_namespace(client: Client, *, retention: timedelta = RETENTION) -> None:
    """Make the client's namespace exist and keep closed runs for `retention`; the same twice changes nothing.

    For servers that we run ourselves: in Temporal Cloud a namespace is made in its console.
    """
    wanted = Duration()
    wanted.FromTimedelta(retention)
    service = client.workflow_service
    try:
        found = await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        await service.register_namespace(
            RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=wanted)
        )
        return
    if found.config.workflow_execution_retention_ttl != wanted:
        config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
        await service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config))


async def register_search_attributes(client: Client, attributes: SearchAttributes) -> None:
    """Make the names known to the client's namespace; those that it knows already are left as they are.

    A workflow that sets an unknown name cannot start, so this comes before the first one.
    """
    operator = client.operator_service
    known = await _known_attributes(client)
    missing = {name: int(kind) for name, kind in attributes.items() if name not in known}
    if missing:
        request = AddSearchAttributesRequest(namespace=client.namespace)
        for name, kind in missing.items():
            request.search_attributes[name] = kind  # type: ignore[assignment]
        await operator.add_search_attributes(request)


async def _known_attributes(client: Client) -> frozenset[str]:
    try:
        request = ListSearchAttributesRequest(namespace=client.namespace)
        known = await client.operator_service.list_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:  # the time-skipping server can add, and cannot list
            raise
        return frozenset()
    return frozenset(known.custom_attributes)


async def connect_patiently(settings: Settings, *, interceptors: Sequence[Interceptor] = ()) -> Client:
    """As ``connect``, but waits for a server that is not up yet: processes of one stack start in any order."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await connect(settings, interceptors=interceptors)
        except TemporalUnreachableError:
            log.warning("Temporal does not answer yet")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


async def prepare_namespace(client: Client) -> None:
    """Make the attributes known by which Temporal's page is searched; where only an owner may, its owner must.

    In Temporal Cloud attributes are made in its console; a worker that may not make them goes on.
    """
    try:
        await register_search_attributes(client, {name: KINDS[kind] for name, kind in SEARCH_ATTRIBUTES.items()})
    except RPCError as error:
        if error.status not in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
            raise
        log.warning("this account may not add search attributes: add them where the namespace is managed")
