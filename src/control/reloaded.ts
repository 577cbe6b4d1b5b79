/** How a reload ended; where nothing changed, in words why. */
export type Reloaded =
  | { readonly done: true; readonly generation: number }
  | { readonly done: false; readonly why: string };
