#!/usr/bin/env node
import { CommanderError } from 'commander';
import { TidemarkError } from '../core/errors.js';
import { program } from './program.js';
import { exitCode, processTerminal } from './terminal.js';

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
    process.exitCode = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  } else if (error instanceof TidemarkError) {
    terminal.err(`tidemark: ${error.message}`);
    process.exitCode = exitCode.usage;
  } else {
    throw error;
  }
}
