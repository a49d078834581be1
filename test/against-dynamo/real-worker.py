"""A Dynamo worker: registers a model, then publishes the load in each line of standard input.

A line may name one of several publishers of the process.
"""

import asyncio
import json
import sys

from dynamo import llm
from dynamo.runtime import DistributedRuntime


async def main(release, model_path, model_name, path, config, publisher_count):
    loop = asyncio.get_running_loop()
    newer = release.startswith("1.6")
    planes = {"event_plane": "nats"} if newer else {}
    runtime = DistributedRuntime(loop, "etcd", "nats", **planes)
    if hasattr(runtime, "endpoint"):
        endpoint = runtime.endpoint(path)
    else:
        namespace, component, name = path.split(".")
        endpoint = runtime.namespace(namespace).component(component).endpoint(name)

    async def generate(request):
        yield {"token_ids": [2], "finish_reason": "stop"}

    publishers = [llm.WorkerMetricsPublisher() for _ in range(int(publisher_count))]
    for publisher in publishers:
        await publisher.create_endpoint(endpoint)
    serving = asyncio.ensure_future(endpoint.serve_endpoint(generate, graceful_shutdown=False))
    runtime_config = llm.ModelRuntimeConfig()
    for name, value in json.loads(config).items():
        setattr(runtime_config, name, value)
    await llm.register_llm(
        llm.ModelInput.Tokens,
        llm.ModelType.Chat | llm.ModelType.Completions,
        endpoint,
        model_path,
        model_name,
        kv_cache_block_size=16,
        runtime_config=runtime_config,
        **({"worker_type": llm.WorkerType.Aggregated} if newer else {}),
    )
    print(json.dumps({"workerId": str(endpoint.connection_id())}), flush=True)

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        load = json.loads(line)
        publishers[load.pop("publisher", 0)].publish(**load)
    serving.cancel()


asyncio.run(main(*sys.argv[1:]))
