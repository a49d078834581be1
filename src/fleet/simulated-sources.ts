import { NEVER, type Observable, concat, ignoreElements, merge, share, tap } from 'rxjs';
import { type KeySource, MemoryKeys } from '../core/sources/key-source.js';
import { MemoryMessages, type MessageSource } from '../core/sources/message-source.js';
import type { SimulatedEvent } from '../simulator/encode-changes.js';

/**
 * The events of a simulated fleet as the sources of {@link dynamoFleet}, without servers. The events begin with the first
 * subscription to one of the sources, and end with the last.
 */
export function simulatedSources(events$: Observable<SimulatedEvent>): {
  readonly discovery: KeySource;
  readonly events: MessageSource;
} {
  const keys = new MemoryKeys();
  const messages = new MemoryMessages();
  // A source that completes would begin again with its next subscriber.
  const run$ = concat(events$, NEVER).pipe(
    tap((event) => {
      if ('payload' in event) messages.publish(event.subject, event.payload);
      else if (event.value.length === 0) keys.delete(event.key);
      else keys.put(event.key, event.value);
    }),
    ignoreElements(),
    share(),
  );
  return {
    discovery: { changes$: merge(keys.changes$, run$), status$: keys.status$ },
    events: {
      subscribe: (subjects) => merge(messages.subscribe(subjects), run$),
      status$: messages.status$,
    },
  };
}
