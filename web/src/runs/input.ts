/** What a person typed as the input of a run. */

export type ParsedInput = { readonly input?: unknown } | { readonly problem: string };

/** Empty = no input. */
export function parseInput(text: string): ParsedInput {
  if (text.trim() === "") return {};
  try {
    return { input: JSON.parse(text) as unknown };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { problem: `The input is not JSON: ${detail}. A plain text needs quotation marks around it.` };
  }
}
