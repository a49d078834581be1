import { ignoreElements, tap, timer, type Observable, type SchedulerLike } from 'rxjs';
import type { LiveReport } from './live-report.js';

const SILENCE_MS = 10_000;

/** What was heard so far, and whether it could have been: a source that is down has said so itself. */
export interface Heard {
  readonly loads: number;
  readonly workers: number;
  readonly live: ReadonlySet<string>;
  /** Workers are asked for their load, and the question reaches the server. */
  readonly asked?: boolean;
}

/** After ten seconds in which nothing came from a server that is there: what to check. A silent watch looks healthy. */
export function silenceHint(
  heard: () => Heard,
  report: LiveReport,
  scheduler: SchedulerLike,
): Observable<never> {
  const hint = (of: string, text: string): void => report.event('hint', text, { of, text });
  return timer(SILENCE_MS, scheduler).pipe(
    tap(() => {
      const { loads, workers, live, asked = false } = heard();
      if (workers === 0 && live.has('discovery')) {
        hint(
          'discovery',
          'no worker is in etcd after 10 s: check the namespace and the endpoint, and that the fleet registers in this etcd (DYN_DISCOVERY_BACKEND=etcd)',
        );
      }
      if (loads === 0 && asked) {
        hint(
          'scrape',
          'no worker has told its load in 10 s: check the namespace and the component, and that the release is 0.6.0 or older: workers of later ones publish it, which is watched without --scrape; `tidemark stats` shows every service that answers',
        );
      }
      if (loads === 0 && live.has('loads')) {
        hint(
          'loads',
          'no load has come over NATS in 10 s: check the namespace, that the fleet publishes there (DYN_EVENT_PLANE=nats), and that it is not idle: a worker publishes only changes',
        );
      }
    }),
    ignoreElements(),
  );
}
