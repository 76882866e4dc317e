/** A part of the page, and the plots it shows, by file name. */
export interface Section {
  text: string;
  plots: Record<string, string>;
}
