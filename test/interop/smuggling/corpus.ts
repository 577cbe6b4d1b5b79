/** All cases; a case's number is its place here. */
import type { Case } from './case.js';
import { chunks } from './chunks.js';
import { codings } from './codings.js';
import { connections, pipelined } from './connections.js';
import { heads } from './heads.js';
import { lengths } from './lengths.js';
import { startLines } from './start-lines.js';

export const corpus: readonly Case[] = [
  ...lengths,
  ...codings,
  ...chunks,
  ...heads,
  ...startLines,
  ...connections,
  ...pipelined,
];
