import { filter, map, type Observable } from 'rxjs';
import { linkStatuses } from './link-statuses.js';
import type { NatsLink } from './nats-link.js';
import { NatsTrouble } from './nats-trouble.js';

/** Errors when the server does not let us publish on a subject; the client says so beside the call, or not at all. */
export function publishRefusal(link: NatsLink, subject: string): Observable<never> {
  return linkStatuses(link).pipe(
    map(({ permissionContext, error }) => permissionContext ?? error),
    filter((refused) => refused?.operation === 'publish' && refused.subject === subject),
    map(() => {
      throw new NatsTrouble(
        'nats-permission',
        `NATS at ${link.getServer()}, publishing on ${subject}: permissions violation. Check the permissions of the user for that subject.`,
      );
    }),
  );
}
