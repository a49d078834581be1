import {
  breaches,
  unreported,
  type EtcdResult,
  type FleetResult,
  type NatsResult,
  type SoakResult,
} from './soak-result.js';

/** A result for people. */
export function soakTable(result: SoakResult): string {
  const { faults, seed, system } = result;
  const total = faults.reduce((sum, { count }) => sum + count, 0);
  const wrong = breaches(result);
  const silent = faults.filter(({ kind }) => /^(\w+: )?half-open/.test(kind));
  return [
    `${system}, seed ${seed}, ${result.seconds.toFixed(0)} s`,
    '',
    row('fault', 'times', 'noticed after', 'live after healing'),
    ...faults.map(({ kind, count, detectMs, healMs }) => row(kind, `${count}`, span(detectMs), span(healMs))),
    row('all', `${total}`, '', ''),
    '',
    ...(result.system === 'etcd' ? etcdLines(result) : messageLines(result)),
    ...(result.system === 'fleet' ? fleetLines(result) : []),
    `half-open noticed within   ${longest(silent.flatMap(({ detectMs }) => detectMs))} (at most 10 s)`,
    `live again within          ${longest(silent.flatMap(({ healMs }) => healMs))} of healing (at most 3 s)`,
    `left behind                ${result.leaks.join('; ') || 'nothing'}`,
    `unhandled rejections       ${result.unhandled.length}`,
    '',
    wrong.length === 0 ? 'The promise holds.' : `The promise is broken: ${wrong.join('; ')}.`,
    '',
  ].join('\n');
}

function etcdLines(result: EtcdResult): string[] {
  const { written, finalWrong, lost, lostCompacted, lostReplaced, outOfOrder, toldTwice } = result;
  return [
    `values written             ${written}`,
    `final values wrong         ${finalWrong}`,
    `intermediate values lost   ${lost - lostCompacted - lostReplaced}, and ${lostCompacted} that were compacted away and flagged,`,
    `                           and ${lostReplaced} while the store was being replaced, flagged`,
    `out of order, told twice   ${outOfOrder}, ${toldTwice}`,
    `resyncs                    ${result.resyncs}`,
  ];
}

function messageLines(result: NatsResult | FleetResult): string[] {
  const { published, heard, lost, lostInGaps, lostDetached, outOfOrder, toldTwice } = result;
  const outside = result.system === 'nats' ? 'without numbers' : 'before or after all that came,';
  const { detachedTimes, detachedMs, injectedMs, settledMs } = result;
  return [
    `messages published         ${published}, of which ${heard} were heard`,
    `lost                       ${lost}: ${lostInGaps} in reported gaps, ${lostDetached} ${outside} while reported down`,
    `unreported                 ${unreported(result)}, and ${result.reportedWrongly} reported that came`,
    `out of order, told twice   ${outOfOrder}, ${toldTwice}`,
    `detached, as reported      ${seconds(detachedMs)} s, ${detachedTimes} times; at most ${seconds(injectedMs)} s of faults`,
    `                           and ${seconds(settledMs)} s from healing until it was live`,
  ];
}

function fleetLines(result: FleetResult): string[] {
  const { came, went, killed, killedHeard, seenWorkers, seenBusy, wrongView } = result;
  return [
    `workers                    ${came} came, ${went} of them left in order, ${killed} were killed, ${killedHeard} after they were heard`,
    `seen at the end            ${seenWorkers} workers, ${seenBusy} of them busy; ${wrongView.join('; ') || 'as it is'}`,
  ];
}

function row(kind: string, times: string, noticed: string, healed: string): string {
  return [kind.padEnd(54), times.padStart(6), noticed.padStart(18), healed.padStart(20)].join('').trimEnd();
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
