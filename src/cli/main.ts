#!/usr/bin/env node
import { setDefaultSignals } from './default-signals.js';

// Nothing else is imported before signals have an effect.
setDefaultSignals();
const { CommanderError } = await import('commander');
const { TidemarkError } = await import('../core/errors.js');
const { program } = await import('./program.js');
const { exitAfterSignal, exitCode, processTerminal } = await import('./terminal.js');

// A reader that closes the pipe early (`tidemark decode … | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCode.ok);
});

const terminal = processTerminal();
try {
  await program(terminal, process.stdin, (code) => (process.exitCode = code)).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.cannotRun;
  } else if (error instanceof TidemarkError) {
    terminal.err(`tidemark: ${error.message}`);
    process.exitCode = exitCode.cannotRun;
  } else {
    throw error;
  }
}
exitAfterSignal();
