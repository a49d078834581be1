import { catchError, throwError, type MonoTypeOperatorFunction } from 'rxjs';
import { troubleOf } from './etcd-trouble.js';

/** Every error as trouble with a server while something was tried. */
export function told<T>(url: string, tried: string): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => throwError(() => troubleOf(error, url, tried)));
}
