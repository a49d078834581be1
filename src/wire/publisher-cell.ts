/**
 * The cell of a publisher: numbers side by side, so that a message touches one or two lines of memory. What every
 * message writes comes first.
 */
export const CELL_SIZE = 16;
/** 0: the cell is empty. */
export const RECEIVED = 0;
export const SEQUENCE = 1;
export const PUBLISHED_AT = 2;
export const RECEIVED_AT = 3;
/** The number of its last message among all messages: who was silent longest has the lowest. */
export const STAMP = 4;
/** How often there was a re-attach before its last message. */
export const ATTACHMENT = 5;
export const MISSING = 6;
export const MISSING_DETACHED = 7;
export const GAPS = 8;
export const LATE = 9;
export const RESTARTS = 10;
export const FIRST_SEQUENCE = 11;
export const HIGH = 12;
export const LOW = 13;
