"""A worker of Dynamo 0.6 that answers scrapes: publishes the metrics in each line of standard input."""

import asyncio
import json
import sys

from dynamo import llm
from dynamo.runtime import DistributedRuntime


async def main(namespace, component_name):
    loop = asyncio.get_running_loop()
    runtime = DistributedRuntime(loop, False)
    component = runtime.namespace(namespace).component(component_name)
    await component.create_service()
    endpoint = component.endpoint("generate")

    async def generate(request):
        yield {}

    publisher = llm.WorkerMetricsPublisher()
    # Each task serves until it is cancelled.
    serving = [
        asyncio.ensure_future(publisher.create_endpoint(component)),
        asyncio.ensure_future(endpoint.serve_endpoint(generate, graceful_shutdown=False)),
    ]
    print(json.dumps({"workerId": str(endpoint.lease_id())}), flush=True)

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        metrics = json.loads(line)
        publisher.publish(
            llm.ForwardPassMetrics(llm.WorkerStats(**metrics["worker_stats"]), llm.KvStats(**metrics["kv_stats"]), None)
        )
    for service in serving:
        service.cancel()


asyncio.run(main(*sys.argv[1:]))
