/** RFC 6902 on immutable values: a patch copies the containers it changes, once, and shares all others. */

import { AntiphonError } from "./errors.js";

export type PatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string };

type Container = unknown[] | Record<string, unknown>;

/**
 * The value after all operations; the given one is not touched, and parts that did not change are shared with it.
 * Throws AntiphonError `invalid_patch`; then nothing was applied.
 */
export function applyPatch(value: unknown, operations: readonly PatchOperation[]): unknown {
  const draft = new Draft(value);
  operations.forEach((operation, index) => {
    try {
      draft.apply(operation);
    } catch (error) {
      if (!(error instanceof Inapplicable)) throw error;
      throw new AntiphonError("invalid_patch", error.message, { pointer: `/${String(index)}`, cause: error });
    }
  });
  return draft.root;
}

class Inapplicable extends Error {}

class Draft {
  root: unknown;
  /** Containers made by this patch: only these may be changed in place. */
  #own = new Set<unknown>();

  constructor(root: unknown) {
    this.root = root;
  }

  apply(operation: PatchOperation): void {
    const path = parsePointer(operation.path);
    switch (operation.op) {
      case "add":
        this.#add(path, operation.value);
        return;
      case "replace":
        this.#read(path);
        this.#replace(path, operation.value);
        return;
      case "remove":
        this.#remove(path);
        return;
      case "move":
        this.#move(parsePointer(operation.from), path);
        return;
      case "copy":
        // what is copied will stand in two places (or inside itself): from here on nothing made so far may be changed in place
        this.#own = new Set();
        this.#add(path, this.#read(parsePointer(operation.from)));
        return;
      case "test":
        if (!sameJson(this.#read(path), operation.value)) throw new Inapplicable(`test failed at "${operation.path}"`);
        return;
      default:
        throw new Inapplicable(`unknown operation ${JSON.stringify((operation as { op: unknown }).op)}`);
    }
  }

  #read(path: readonly string[]): unknown {
    return path.reduce((node, key) => member(node, key), this.root);
  }

  #add(path: readonly string[], value: unknown): void {
    const key = path.at(-1);
    if (key === undefined) {
      this.root = value;
      return;
    }
    const parent = this.#openParent(path);
    if (Array.isArray(parent)) {
      parent.splice(key === "-" ? parent.length : arrayIndex(key, parent.length), 0, value);
    } else {
      setMember(parent, key, value);
    }
  }

  #replace(path: readonly string[], value: unknown): void {
    const key = path.at(-1);
    if (key === undefined) this.root = value;
    else setMember(this.#openParent(path), key, value);
  }

  #remove(path: readonly string[]): void {
    this.#read(path);
    const key = path.at(-1);
    if (key === undefined) throw new Inapplicable("the whole value cannot be removed");
    const parent = this.#openParent(path);
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent, key);
  }

  #move(from: readonly string[], path: readonly string[]): void {
    const value = this.#read(from);
    if (from.length === path.length && from.every((key, index) => key === path[index])) return;
    if (from.length < path.length && from.every((key, index) => key === path[index])) {
      throw new Inapplicable("a value cannot be moved into itself");
    }
    this.#remove(from);
    this.#add(path, value);
  }

  /** The container that holds the last key of `path`, it and all above it made ours. */
  #openParent(path: readonly string[]): Container {
    let node = this.#open(this.root);
    this.root = node;
    for (const key of path.slice(0, -1)) {
      const child = this.#open(member(node, key));
      setMember(node, key, child);
      node = child;
    }
    return node;
  }

  #open(node: unknown): Container {
    if (!isContainer(node)) throw new Inapplicable("the path leads through a value that is neither object nor array");
    if (this.#own.has(node)) return node;
    const copy = Array.isArray(node) ? node.slice() : { ...node };
    this.#own.add(copy);
    return copy;
  }
}

function isContainer(node: unknown): node is Container {
  return typeof node === "object" && node !== null;
}

function member(node: unknown, key: string): unknown {
  if (Array.isArray(node)) return (node as unknown[])[arrayIndex(key, node.length - 1)];
  if (!isContainer(node) || !Object.hasOwn(node, key)) throw new Inapplicable(`there is no member "${key}"`);
  return (node as Record<string, unknown>)[key];
}

function setMember(parent: Container, key: string, value: unknown): void {
  if (Array.isArray(parent)) {
    parent[Number(key)] = value;
  } else if (key === "__proto__") {
    // an assignment would set the prototype; JSON knows this name as an ordinary one
    Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    parent[key] = value;
  }
}

function arrayIndex(key: string, highest: number): number {
  if (!/^(0|[1-9][0-9]*)$/.test(key)) throw new Inapplicable(`"${key}" is no array index`);
  const index = Number(key);
  if (index > highest) throw new Inapplicable(`index ${key} is beyond the array`);
  return index;
}

function parsePointer(pointer: unknown): string[] {
  if (pointer === "") return [];
  if (typeof pointer !== "string" || !pointer.startsWith("/") || /~(?![01])/.test(pointer)) {
    throw new Inapplicable(`${JSON.stringify(pointer)} is no JSON Pointer`);
  }
  const parts = pointer.slice(1).split("/");
  return pointer.includes("~") ? parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~")) : parts;
}

/** Equality of two JSON values; the order of members does not matter. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (!isContainer(left) || !isContainer(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameJson(member(left, key), member(right, key)))
  );
}
