import {
  breaches,
  unreported,
  type EtcdResult,
  type FleetResult,
  type NatsResult,
  type SoakResult,
} from './soak-result.js';

/** A result as a table for people. */
export function soakTable(result: SoakResult): string {
  const { faults, seed, system } = result;
  const total = faults.reduce((sum, { count }) => sum + count, 0);
  const wrong = breaches(result);
  const silent = faults.filter(({ kind }) => /^(\w+: )?half-open/.test(kind));
  return [
    `${system}, seed ${seed}, ${result.seconds.toFixed(0)} s`,
    '',
    row('fault', 'times', 'detected after', 'live after healing'),
    ...faults.map(({ kind, count, detectMs, healMs }) => row(kind, `${count}`, span(detectMs), span(healMs))),
    row('all', `${total}`, '', ''),
    '',
    ...(result.system === 'etcd' ? etcdLines(result) : messageLines(result)),
    ...(result.system === 'fleet' ? fleetLines(result) : []),
    `half-open detected within  ${longest(silent.flatMap(({ detectMs }) => detectMs))} (at most 10 s)`,
    `live again within          ${longest(silent.flatMap(({ healMs }) => healMs))} of healing (at most 3 s)`,
    `left behind                ${result.leaks.join('; ') || 'nothing'}`,
    `unhandled rejections       ${result.unhandled.length}`,
    '',
    wrong.length === 0 ? 'All guarantees hold.' : `Broken guarantees: ${wrong.join('; ')}.`,
    '',
  ].join('\n');
}

function etcdLines(result: EtcdResult): string[] {
  const { written, finalWrong, lost, lostCompacted, lostReplaced, outOfOrder, duplicates } = result;
  return [
    `values written             ${written}`,
    `final values wrong         ${finalWrong}`,
    `intermediate values lost   ${lost - lostCompacted - lostReplaced}, and ${lostCompacted} compacted with a resync,`,
    `                           and ${lostReplaced} in a replaced store with a resync`,
    `out of order, duplicates   ${outOfOrder}, ${duplicates}`,
    `resyncs                    ${result.resyncs}`,
  ];
}

function messageLines(result: NatsResult | FleetResult): string[] {
  const { published, received, lost, lostInGaps, lostDetached, outOfOrder, duplicates } = result;
  const outside =
    result.system === 'nats' ? 'without numbers' : 'before the first or after the last received message,';
  const { detachedTimes, detachedMs, injectedMs, settledMs } = result;
  return [
    `messages published         ${published}, of which ${received} were received`,
    `lost                       ${lost}: ${lostInGaps} in reported gaps, ${lostDetached} ${outside} while reported down`,
    `unreported                 ${unreported(result)}, and ${result.reportedWrongly} reported but received`,
    `out of order, duplicates   ${outOfOrder}, ${duplicates}`,
    `reported as detached       ${seconds(detachedMs)} s, ${detachedTimes} times; at most ${seconds(injectedMs)} s of faults`,
    `                           and ${seconds(settledMs)} s from healing until live`,
  ];
}

function fleetLines(result: FleetResult): string[] {
  const { joined, left, killed, killedReceived, seenWorkers, seenBusy, viewErrors } = result;
  return [
    `workers                    ${joined} joined, ${left} left in good order, ${killed} were killed, ${killedReceived} of them after a message was received`,
    `state at the end           ${seenWorkers} workers, ${seenBusy} of them busy; ${viewErrors.join('; ') || 'correct'}`,
  ];
}

function row(kind: string, times: string, detected: string, healed: string): string {
  return [kind.padEnd(54), times.padStart(6), detected.padStart(18), healed.padStart(20)].join('').trimEnd();
}

function span(times: readonly number[]): string {
  if (times.length === 0) return '-';
  return `${seconds(Math.min(...times))} to ${seconds(Math.max(...times))} s`;
}

function longest(times: readonly number[]): string {
  return times.length === 0 ? '-' : `${seconds(Math.max(...times))} s`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}
