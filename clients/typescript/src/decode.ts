/** Small readers of untrusted JSON. Each returns the value in its type or throws `protocol_error` naming the field. */

import { clientError } from "./errors.js";
import type { AntiphonError } from "./errors.js";

export type Fields = Readonly<Record<string, unknown>>;

export function malformed(what: string): AntiphonError {
  return clientError("protocol_error", `the server sent a malformed message: ${what}`);
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown, what: string): Fields {
  if (!isObject(value)) throw malformed(`${what} is no object`);
  return value;
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw malformed(`${name} is no string`);
  return value;
}

export function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== "number") throw malformed(`${name} is no number`);
  return value;
}

/** A whole number from 0 to 2^53 - 1. */
export function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed(`${name} is no whole number`);
  return value as number;
}

export function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== "boolean") throw malformed(`${name} is neither true nor false`);
  return value;
}

export function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw malformed(`${name} is no array`);
  return value as unknown[];
}
