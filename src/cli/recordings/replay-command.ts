import { UnknownPolicyError, policyNamed } from '../../core/policy/policies.js';
import {
  type FailedExpectation,
  type PlayedRecording,
  playRecording,
} from '../../testing/recordings/play-recording.js';
import { stringifyJson } from '../../wire/json/json-value.js';
import { RecordingError, parseRecording } from '../../wire/recording/parse-recording.js';
import type { Recording } from '../../wire/recording/recording.js';
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
  /** How many expectation lines did not hold. */
  readonly failed: number;
  readonly transitions: number;
  readonly problems: Readonly<Record<string, number>>;
}

/**
 * `tidemark replay`: plays recordings in virtual time and sums them up; with `--check` tells every expectation
 * that did not hold. All files are read before the first is played.
 */
export function replayCommand(files: readonly string[], options: ReplayOptions, terminal: Terminal): number {
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
  for (const one of played) report(one, options, terminal);
  if (options.json !== true && played.length > 1) terminal.out(total(played, options));
  const failed = options.check === true && played.some((one) => one.failed > 0);
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
  const sum = (count: (one: PlayedFile) => number): number =>
    played.reduce((all, one) => all + count(one), 0);
  const problems = sum((one) => Object.values(one.problems).reduce((all, n) => all + n, 0));
  const parts = [
    `${sum((one) => one.scenarios)} scenarios`,
    `${sum((one) => one.events)} events`,
    `${sum((one) => one.transitions)} transitions`,
    `${problems} problems`,
  ];
  const expectations = sum((one) => one.expectations);
  const failed = sum((one) => one.failed);
  if (check === true) parts.push(`${expectations - failed} of ${expectations} expectations hold`);
  else parts.push(`${expectations} expectations, not checked`);
  return parts.join(', ');
}

/**
 * The recording in a file, checked to the last line. Its policy must be in the table unless another one will be
 * used.
 *
 * @throws CliError that names the file, the line, and what is wrong there
 */
export function readRecording(file: string, anyPolicy: boolean): Recording {
  const bytes = readInput(file);
  try {
    const recording = parseRecording(bytes);
    if (!anyPolicy) policyNamed(recording.header.policy);
    return recording;
  } catch (error) {
    if (error instanceof RecordingError) {
      throw new CliError(`${file}:${error.line}: ${error.reason}; nothing was played.`, { cause: error });
    }
    if (error instanceof UnknownPolicyError) {
      throw new CliError(`${file}:1: ${error.message} Or play it under another with --policy.`, {
        cause: error,
      });
    }
    throw error;
  }
}
