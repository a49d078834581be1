"""The aggregator of Dynamo 0.6: prints its current metrics as a line of JSON for each line of standard input."""

import asyncio
import json
import sys

from dynamo import llm
from dynamo.runtime import DistributedRuntime


async def main(namespace, component_name):
    loop = asyncio.get_running_loop()
    runtime = DistributedRuntime(loop, False)
    component = runtime.namespace(namespace).component(component_name)
    aggregator = llm.KvMetricsAggregator(component)
    print(json.dumps({"ready": True}), flush=True)

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        metrics = await aggregator.get_metrics()
        endpoints = [
            {
                "workerId": str(endpoint.worker_id),
                "requestActiveSlots": endpoint.request_active_slots,
                "requestTotalSlots": endpoint.request_total_slots,
                "numRequestsWaiting": endpoint.num_requests_waiting,
                "kvActiveBlocks": endpoint.kv_active_blocks,
                "kvTotalBlocks": endpoint.kv_total_blocks,
                "gpuCacheUsagePerc": endpoint.gpu_cache_usage_perc,
                "gpuPrefixCacheHitRate": endpoint.gpu_prefix_cache_hit_rate,
            }
            for endpoint in metrics.endpoints
        ]
        answer = {"loadAvg": repr(metrics.load_avg), "loadStd": repr(metrics.load_std), "endpoints": endpoints}
        print(json.dumps(answer), flush=True)


asyncio.run(main(*sys.argv[1:]))
