"""A Dynamo worker: registers a model, publishes the load in each line of standard input, and leaves at its end.

A line may name one of several publishers of the process.
"""

import asyncio
import json
import sys

from dynamo import llm
from dynamo.runtime import DistributedRuntime

ROLES = ("decode", "prefill", "aggregated", "encode")


async def main(release, model_path, model_name, path, config, publisher_count, role, needs):
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
        # With a finish reason, a frontend takes the answer of a prefill worker for the whole answer.
        if role == "prefill":
            yield {"token_ids": [2], "disaggregated_params": {"kv_transfer_params": {}}}
        else:
            yield {"token_ids": [2], "finish_reason": "stop"}

    publishers = [llm.WorkerMetricsPublisher() for _ in range(int(publisher_count))]
    for publisher in publishers:
        await publisher.create_endpoint(endpoint)
    serving = asyncio.ensure_future(endpoint.serve_endpoint(generate, graceful_shutdown=False))
    runtime_config = llm.ModelRuntimeConfig()
    for name, value in json.loads(config).items():
        setattr(runtime_config, name, value)
    duties = {}
    if newer:
        worker_types = {name: getattr(llm.WorkerType, name.capitalize()) for name in ROLES}
        alternatives = [[worker_types[name] for name in names] for names in json.loads(needs)]
        duties = {"worker_type": worker_types[role], "needs": alternatives}
    if role == "prefill":
        model_type = llm.ModelType.Prefill
    elif role == "encode":
        model_type = llm.ModelType.Empty
    else:
        model_type = llm.ModelType.Chat | llm.ModelType.Completions
    await llm.register_llm(
        llm.ModelInput.Tokens,
        model_type,
        endpoint,
        model_path,
        model_name,
        kv_cache_block_size=16,
        runtime_config=runtime_config,
        **duties,
    )
    print(json.dumps({"workerId": str(endpoint.connection_id())}), flush=True)

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        load = json.loads(line)
        publishers[load.pop("publisher", 0)].publish(**load)
    serving.cancel()
    # Otherwise its keys stay until its lease expires.
    runtime.shutdown()


asyncio.run(main(*sys.argv[1:]))
