import { TidemarkError } from '../core/tidemark-error.js';

/**
 * Whose events a subject or an event channel carries: those of a namespace, of one component in it, or of one
 * endpoint of that component. Absent and `null` mean the same. A nested namespace is written with dots (`a.b`).
 */
export interface LoadScope {
  readonly namespace: string;
  readonly component?: string | null | undefined;
  readonly endpoint?: string | null | undefined;
}

/** A subject or key was to be built of names that it cannot hold. */
export class ScopeError extends TidemarkError {
  override readonly name = 'ScopeError';

  constructor(reason: string) {
    super('scope', reason);
  }
}

/** The words and names of a scope, outermost first: `namespace`, its name, `component`, its name, and so on. */
export function scopeWords(scope: LoadScope, segment: (name: string) => string): readonly string[] {
  const words: string[] = [];
  for (const word of ['namespace', 'component', 'endpoint'] as const) {
    const name = scope[word];
    if (name == null) continue;
    if (name === '') throw new ScopeError(`The ${word} has an empty name.`);
    if (word === 'endpoint' && scope.component == null) {
      throw new ScopeError(`The endpoint ${JSON.stringify(name)} stands without a component: name it too.`);
    }
    words.push(word, segment(name));
  }
  return words;
}
