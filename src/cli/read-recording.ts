import { policyNamed, UnknownPolicyError } from '../core/policy-named.js';
import { parseRecording, RecordingError } from '../wire/parse-recording.js';
import type { Recording } from '../wire/recording.js';
import { CliError } from './cli-error.js';
import { readInput } from './read-input.js';

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
