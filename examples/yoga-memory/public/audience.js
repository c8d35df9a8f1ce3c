import { DISMISS_AUDIENCE, GROW_AUDIENCE } from './operations.js'

const maxDotCount = 120

/** How many subscribe to this shop's board: this page, other tabs, and those that the buttons add. */
export function createAudience({ element, onChange }) {
  const find = (selector) => element.querySelector(selector)
  const dots = find('.dots')
  let received

  find('[data-grow]').addEventListener('click', () => onChange(GROW_AUDIENCE, { by: 10 }))
  find('[data-dismiss]').addEventListener('click', () => onChange(DISMISS_AUDIENCE))

  function show({ subscribers, audience }) {
    find('[data-subscribers]').textContent = subscribers
    find('[data-subscribers-word]').textContent = subscribers === 1 ? 'subscriber' : 'subscribers'
    find('[data-received]').textContent =
      audience.size > 0 ? `${audience.size} added · ${audience.received} received` : ''
    find('[data-dismiss]').setAttribute('aria-disabled', String(audience.size === 0))
    const dotCount = Math.min(subscribers, maxDotCount)
    while (dots.children.length > dotCount) dots.lastElementChild.remove()
    while (dots.children.length < dotCount) dots.append(document.createElement('i'))
    if (audience.received > received) pulse()
    received = audience.received
  }

  function pulse() {
    dots.classList.remove('pulse')
    void dots.offsetWidth // restarts the animation
    dots.classList.add('pulse')
  }

  return { show }
}
