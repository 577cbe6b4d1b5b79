/** How a reload ended; where nothing changed, in words why, and the first errors with their places. */
export type Reloaded =
  | { readonly done: true; readonly generation: number }
  | { readonly done: false; readonly why: string; readonly errors: readonly string[] };
