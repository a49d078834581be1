import { InvalidArgumentError } from 'commander';

/** A parser of options that are numbers of `least` to `most`; whole ones unless `fraction`. */
export function numberOption(
  least: number,
  most: number,
  { fraction = false } = {},
): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if ((fraction || Number.isInteger(value)) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a ${fraction ? '' : 'whole '}number from ${least} to ${most}.`);
  };
}
