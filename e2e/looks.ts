import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'

const screensDir = join(import.meta.dirname, '../test-results/screens')

/** Pictures to look at; waits for previews, so that none is caught half loaded. */
export async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate(() =>
    Promise.all([...document.images].filter((image) => image.src !== '').map((image) => image.decode().catch(() => {})))
  )
  await page.screenshot({ path: join(screensDir, `${name}.png`) })
}

/** Chooses a language, a display, or both by the names they have in the menu. */
export async function choose(page: Page, ...choices: string[]): Promise<void> {
  await page.getByRole('button', { name: /Language and display|语言与显示/ }).click()
  for (const name of choices) await page.getByRole('menuitemradio', { name, exact: true }).click()
  await page.keyboard.press('Escape')
}

/** Nothing sticks out to the right, and whatever can be pressed is large enough for a gloved finger. */
export async function expectUsable(page: Page): Promise<void> {
  const problems = await page.evaluate(() => {
    const found: string[] = []
    const root = document.documentElement
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} px wide`)
    const pressable = 'button, a[href], select, summary, [role="menuitemradio"], [role="menuitem"]'
    for (const element of document.querySelectorAll<HTMLElement>(pressable)) {
      const { width, height } = element.getBoundingClientRect()
      if (width > 1 && (width < 43.5 || height < 43.5))
        found.push(`${element.outerHTML.slice(0, 80)} is ${Math.round(width)}×${Math.round(height)}`)
    }
    return found
  })
  expect(problems).toEqual([])
}
