"""The real aggregator of 0.6: for each line of standard input, what it has now, as one line of JSON."""

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
                "workerId": str(one.worker_id),
                "requestActiveSlots": one.request_active_slots,
                "requestTotalSlots": one.request_total_slots,
                "numRequestsWaiting": one.num_requests_waiting,
                "kvActiveBlocks": one.kv_active_blocks,
                "kvTotalBlocks": one.kv_total_blocks,
                "gpuCacheUsagePerc": one.gpu_cache_usage_perc,
                "gpuPrefixCacheHitRate": one.gpu_prefix_cache_hit_rate,
            }
            for one in metrics.endpoints
        ]
        answer = {"loadAvg": repr(metrics.load_avg), "loadStd": repr(metrics.load_std), "endpoints": endpoints}
        print(json.dumps(answer), flush=True)


asyncio.run(main(*sys.argv[1:]))
