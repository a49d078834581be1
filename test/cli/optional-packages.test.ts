import { describe, expect, it } from 'vitest';
import { requirePackages } from '../../src/cli/optional-packages.js';
import { PackageError } from '../../src/core/errors.js';

describe('requirePackages', () => {
  const unusable = (name: string, detail: string) => () =>
    Promise.reject(new PackageError('package-missing', name, detail, `${name}@2`));

  it('passes when every package can be loaded', async () => {
    await expect(requirePackages('watch')).resolves.toBeUndefined();
  });

  it('names every package that cannot be used, and one command', async () => {
    const missing = unusable('nats', 'is not installed');
    await expect(requirePackages('watch', [() => Promise.resolve(), missing])).rejects.toThrow(
      'tidemark watch needs nats, which is not installed: npm install nats@2',
    );
    await expect(requirePackages('watch', [missing, unusable('yaml', 'is too old')])).rejects.toThrow(
      'tidemark watch needs nats, which is not installed; and yaml, which is too old: npm install nats@2 yaml@2',
    );
  });

  it('passes on an error that is not about packages', async () => {
    await expect(requirePackages('watch', [() => Promise.reject(new Error('broken'))])).rejects.toThrow(
      'broken',
    );
  });
});
