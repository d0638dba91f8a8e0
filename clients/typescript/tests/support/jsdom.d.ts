/** As far as it is used here. */
declare module "jsdom" {
  export class JSDOM {
    constructor(html: string, options: { url: string });
    readonly window: { readonly document: Document; readonly navigator: Navigator };
  }
}
