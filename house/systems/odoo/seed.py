"""Fill a fresh Odoo database with a small works: suppliers, products in stock, purchase orders in every state, equipment with requests for
its maintenance, and three users. Read by `odoo shell`."""

euro = env.ref('base.EUR')
euro.active = True
env.company.write({'name': 'Hafen Pumpenwerke', 'currency_id': euro.id, 'po_double_validation': 'two_step',
                   'po_double_validation_amount': 5000.0})
env['decimal.precision'].search([('name', '=', 'Product Price')]).digits = 4
env.ref('base.user_admin').write({'password': 'Admin-pw-2026', 'tz': 'UTC'})

term = env['account.payment.term'].create({'name': '30 days net'})
suppliers = env['res.partner'].create([{
    'name': 'Supplier %03d GmbH' % i, 'ref': 'V%05d' % (10000 + i), 'is_company': True, 'supplier_rank': 1,
    'property_supplier_payment_term_id': term.id, 'street': '%d Dock Road' % i, 'city': ('Leeds', 'Ghent', 'Lodz', 'Porto')[i % 4],
    'email': 'sales%03d@example.com' % i} for i in range(25)])

unit, kilogram = env.ref('uom.product_uom_unit'), env.ref('uom.product_uom_kgm')
parts = env['product.product'].create([{
    'default_code': code, 'name': name, 'uom_id': uom.id, 'standard_price': price, 'is_storable': True, 'purchase_ok': True}
    for code, name, uom, price in (('BRG-6204', 'Bearing 6204-2RS', unit, 4.35), ('SEAL-35', 'Shaft seal 35x52x7', unit, 2.10),
                                   ('GREASE-LI', 'Lithium grease', kilogram, 8.90), ('VBELT-A42', 'V-belt A42', unit, 11.75))])
store = env['stock.warehouse'].search([], limit=1).lot_stock_id
for part, quantity in zip(parts, (120.0, 75.0, 13.05, 40.0)):
    env['stock.quant'].create({'product_id': part.id, 'location_id': store.id, 'inventory_quantity': quantity}).action_apply_inventory()


def user(login, *groups):
    return env['res.users'].create({'name': login.title(), 'login': login, 'password': login.title() + '-pw-2026', 'tz': 'UTC',
                                    'group_ids': [(6, 0, [env.ref(g).id for g in ('base.group_user', *groups)])]})


agent = user('agent', 'purchase.group_purchase_user', 'stock.group_stock_user', 'maintenance.group_equipment_manager')
user('reader', 'stock.group_stock_user')
user('locked')


def order(i, *lines, quantity=10.0):
    return env['purchase.order'].with_user(agent).create({'partner_id': suppliers[i].id, 'order_line': [
        (0, 0, {'product_id': p.id, 'product_qty': quantity, 'price_unit': p.standard_price}) for p in lines]})


order(0, *parts[:2])
order(1, *parts[1:3]).state = 'sent'
order(2, *parts[2:]).button_confirm()
order(3, parts[0], quantity=2000.0).button_confirm()  # over the limit: to approve
order(4, parts[0]).button_cancel()

pumps = env['maintenance.equipment.category'].create({'name': 'Pumps'})
machines = env['maintenance.equipment'].create([{
    'name': 'Pump %d' % i, 'serial_no': 'SN-%04d' % i, 'model': 'CP-%d' % i, 'category_id': pumps.id, 'partner_id': suppliers[i].id,
    'cost': 1000.5 + i, 'warranty_date': '2027-0%d-01' % i} for i in (1, 2, 3)])
for machine, name, stage in zip(machines, ('Seal leaks', 'Yearly inspection', 'Bearing is loud'), (0, 1, 3)):
    env['maintenance.request'].create({'name': name, 'equipment_id': machine.id, 'priority': '2', 'schedule_date': '2026-06-01 08:00:00',
                                       'maintenance_type': 'corrective', 'stage_id': env.ref('maintenance.stage_%d' % stage).id})
env.cr.commit()
