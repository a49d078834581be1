import type { Command } from 'commander';
import { UnknownPolicyError, policyNamed } from '../../core/policy/policies.js';
import {
  type FailedExpectation,
  type PlayedRecording,
  playRecording,
} from '../../testing/recordings/play-recording.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { RecordingError, parseRecording } from '../../wire/recording/parse-recording.js';
import type { Recording } from '../../wire/recording/recording.js';
import { helpExamples, policyOption } from '../command-options.js';
import { readInput } from '../read-input.js';
import { CliError, type Terminal, exitCode } from '../terminal.js';

/** The options of `tidemark replay`. */
export interface ReplayOptions {
  readonly check?: boolean;
  readonly policy?: string;
  readonly json?: boolean;
}

interface PlayedFile extends PlayedRecording {
  readonly file: string;
  /** The number of expectation lines that do not hold. */
  readonly failed: number;
  readonly transitions: number;
  readonly problems: Readonly<Record<string, number>>;
}

/** Adds `tidemark replay`. */
export function addReplayCommand(root: Command, terminal: Terminal, finish: (code: number) => void): void {
  root
    .command('replay')
    .description('play recordings in virtual time and print a summary')
    .argument('<file...>', 'recordings (JSON Lines; .gz files are unpacked)')
    .option('--check', 'print every expectation that does not hold, and exit with code 1 if there is one')
    .addOption(policyOption('policy to use instead of the one that the recording names'))
    .option('--json', 'print one JSON object for each file')
    .addHelpText(
      'after',
      '\nExit codes: 0 success, 1 an expectation does not hold (--check), 2 a file cannot be read or is not a recording.\n' +
        helpExamples('replay --check recordings/*.jsonl', 'replay --policy default --json night.jsonl.gz'),
    )
    .action((files: string[], options: ReplayOptions) => finish(replayCommand(files, options, terminal)));
}

/**
 * `tidemark replay`: plays recordings in virtual time and prints a summary; with `--check`, also every expectation that
 * does not hold. All files are read before the first is played.
 */
function replayCommand(files: readonly string[], options: ReplayOptions, terminal: Terminal): number {
  const policy = options.policy === undefined ? undefined : policyNamed(options.policy);
  const recordings = files.map((file, index) => {
    terminal.progress(`reading ${index + 1} of ${files.length}: ${file}`);
    return [file, readRecording(file, policy !== undefined)] as const;
  });
  const played = recordings.map(([file, recording], index) => {
    terminal.progress(`playing ${index + 1} of ${files.length}: ${file}`);
    return playFile(file, recording, policy);
  });
  terminal.progress('');
  for (const file of played) report(file, options, terminal);
  if (options.json !== true && played.length > 1) terminal.out(total(played, options));
  const failed = options.check === true && played.some((file) => file.failed > 0);
  return failed ? exitCode.failed : exitCode.ok;
}

function playFile(
  file: string,
  recording: Recording,
  policy: ReturnType<typeof policyNamed> | undefined,
): PlayedFile {
  let transitions = 0;
  const problems: Record<string, number> = {};
  const played = playRecording(recording, {
    ...(policy && { policy }),
    transition: () => (transitions += 1),
    problem: ({ code, count }) => (problems[code] = (problems[code] ?? 0) + count),
  });
  const failed = new Set(played.failures.map((failure) => failure.line)).size;
  return { file, ...played, failed, transitions, problems };
}

function report(played: PlayedFile, options: ReplayOptions, terminal: Terminal): void {
  const { file, policy, scenarios, events, expectations, failed, failures, transitions, problems } = played;
  if (options.json === true) {
    const counts = { file, policy, scenarios, events, transitions, problems, expectations, failed };
    terminal.out(stringifyJson(options.check === true ? { ...counts, failures } : counts));
    return;
  }
  if (options.check === true) for (const failure of failures) terminal.out(failureText(file, failure));
  terminal.out(`${file} (${policy}): ${summary([played], options)}`);
}

function failureText(file: string, { line, scenario, key, expected, actual }: FailedExpectation): string {
  return `${file}:${line}: ${scenario}: ${key} is not as expected\n  expected ${stringifyJson(expected)}\n  actual   ${stringifyJson(actual)}`;
}

function total(played: readonly PlayedFile[], options: ReplayOptions): string {
  return `${played.length} recordings: ${summary(played, options)}`;
}

function summary(played: readonly PlayedFile[], { check }: ReplayOptions): string {
  const sum = (countOf: (file: PlayedFile) => number): number =>
    played.reduce((total, file) => total + countOf(file), 0);
  const problems = sum((file) => Object.values(file.problems).reduce((total, count) => total + count, 0));
  const parts = [
    `${sum((file) => file.scenarios)} scenarios`,
    `${sum((file) => file.events)} events`,
    `${sum((file) => file.transitions)} transitions`,
    `${problems} problems`,
  ];
  const expectations = sum((file) => file.expectations);
  const failed = sum((file) => file.failed);
  if (check === true) parts.push(`${expectations - failed} of ${expectations} expectations hold`);
  else parts.push(`${expectations} expectations, not checked`);
  return parts.join(', ');
}

/**
 * Reads and validates a recording. The policy that it names must exist, unless `anyPolicy` is set.
 *
 * @throws CliError with the file, the line and the reason if the recording is invalid
 */
function readRecording(file: string, anyPolicy: boolean): Recording {
  const bytes = readInput(file);
  try {
    const recording = parseRecording(bytes);
    if (!anyPolicy) policyNamed(recording.header.policy);
    return recording;
  } catch (error) {
    if (error instanceof RecordingError) {
      throw new CliError(`${file}:${error.line}: ${error.reason}; no recording was played.`, {
        cause: error,
      });
    }
    if (error instanceof UnknownPolicyError) {
      throw new CliError(`${file}:1: ${error.message} Or choose another policy with --policy.`, {
        cause: error,
      });
    }
    throw error;
  }
}
