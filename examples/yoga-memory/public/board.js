import { createMeter } from './meter.js'
import { createPane } from './pane.js'

const tenants = JSON.parse(document.querySelector('#tenants').textContent)
const meter = createMeter(document.querySelector('#meter'))

const panes = tenants.map((tenant) =>
  createPane({
    tenant,
    onCounts: meter.show,
    // For the button that tries to cross: an order that is really there, in the other shop.
    foreignOrder: () => panes.find((pane) => pane.tenant !== tenant)?.newestOrder(),
  }),
)

document.querySelector('#panes').append(...panes.map((pane) => pane.element))
for (const pane of panes) pane.start()
