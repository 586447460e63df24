#!/usr/bin/python3
"""Fill a fresh Tryton database with a small works: a company with its books, suppliers, products in stock, purchase
orders in every state, a production order, and three users. Run once; `make systems` keeps the result as a template."""
import datetime
import sys
from decimal import Decimal

from proteus import Model, Wizard, config

context = config.set_trytond(database='erp', user='admin', config_file=sys.argv[1])
TODAY = datetime.date.today()


def first(model, *domain):
    return Model.get(model).find(list(domain), limit=1)[0]


def create(model, **values):
    record = Model.get(model)(**values)
    record.save()
    return record


def company():
    euro = create('currency.currency', name='Euro', code='EUR', numeric_code='978', symbol='€',
                  rounding=Decimal('0.01'), digits=2)
    euro.rates.new(rate=Decimal(1), date=datetime.date(TODAY.year, 1, 1))
    euro.save()
    wizard = Wizard('company.company.config')
    wizard.execute('company')
    wizard.form.party = create('party.party', name='Hafen Pumpenwerke')
    wizard.form.currency = euro
    wizard.execute('add')
    context._context = Model.get('res.user').get_preferences(True, {})
    return first('company.company')


def sequence(kind, name, strict=False):
    return create('ir.sequence.strict' if strict else 'ir.sequence', name=name, company=COMPANY,
                  sequence_type=first('ir.sequence.type', ('name', '=', kind)))


def accounts():
    chart = Wizard('account.create_chart')
    chart.execute('account')
    chart.form.account_template = first('account.account.template', ('parent', '=', None))
    chart.form.company = COMPANY
    chart.execute('create_account')
    kinds = {k: first('account.account', ('type.' + k, '=', True), ('company', '=', COMPANY.id))
             for k in ('receivable', 'payable', 'revenue', 'expense')}
    chart.form.account_receivable, chart.form.account_payable = kinds['receivable'], kinds['payable']
    chart.execute('create_properties')
    year = Model.get('account.fiscalyear')(
        name=str(TODAY.year), company=COMPANY, start_date=datetime.date(TODAY.year, 1, 1),
        end_date=datetime.date(TODAY.year, 12, 31), post_move_sequence=sequence('Account Move', 'Moves'))
    invoices = sequence('Invoice', 'Invoices', strict=True)
    row = year.invoice_sequences[0] if year.invoice_sequences else year.invoice_sequences.new()
    row.in_invoice_sequence = row.in_credit_note_sequence = invoices
    row.out_invoice_sequence = row.out_credit_note_sequence = invoices
    year.save()
    year.click('create_period')
    return kinds


def supplier(i, term):
    s = Model.get('party.party')(name='Supplier %03d GmbH' % i, code='V%05d' % (10000 + i), supplier_payment_term=term)
    s.addresses[0].street, s.addresses[0].city = '%d Dock Road' % i, ('Leeds', 'Ghent', 'Lodz', 'Porto')[i % 4]
    s.save()
    return s


def product(code, name, unit, cost, category, made=False):
    t = Model.get('product.template')(name=name, default_uom=unit, type='goods', list_price=Decimal(cost) * 2,
                                      cost_price_method='fixed', account_category=category)
    t.purchasable, t.producible = not made, made
    t.products[0].suffix_code, t.products[0].cost_price = code, Decimal(cost)
    t.save()
    return t.products[0]


def purchase(party, term, products, *steps):
    order = Model.get('purchase.purchase')(party=party, payment_term=term, invoice_method='shipment')
    for p in products:
        line = order.lines.new()
        line.product, line.quantity, line.unit_price = p, 10.0, p.cost_price
    order.save()
    for step in steps:
        order.click(step)


def user(login, *groups):
    u = Model.get('res.user')(name=login.title(), login=login, password=login.title() + '-pw-2026')
    u.companies.append(Model.get('company.company')(COMPANY.id))
    u.company = Model.get('company.company')(COMPANY.id)
    for name in groups:
        u.groups.append(first('res.group', ('name', '=', name)))
    u.save()


COMPANY = company()
BOOKS = accounts()
TERM = Model.get('account.invoice.payment_term')(name='30 days net')
TERM.lines.new(type='remainder').relativedeltas.new(days=30)
TERM.save()
GOODS = create('product.category', name='Goods', accounting=True, account_expense=BOOKS['expense'],
               account_revenue=BOOKS['revenue'])
SUPPLIERS = [supplier(i, TERM) for i in range(25)]
UNIT, KILOGRAM = first('product.uom', ('name', '=', 'Unit')), first('product.uom', ('name', '=', 'Kilogram'))
PARTS = [product('BRG-6204', 'Bearing 6204-2RS', UNIT, '4.35', GOODS),
         product('SEAL-35', 'Shaft seal 35x52x7', UNIT, '2.10', GOODS),
         product('GREASE-LI', 'Lithium grease', KILOGRAM, '8.90', GOODS),
         product('VBELT-A42', 'V-belt A42', UNIT, '11.75', GOODS)]
PUMP = product('PUMP-01', 'Centrifugal pump', UNIT, '210', GOODS, made=True)

stock = Model.get('stock.inventory')(location=first('stock.location', ('code', '=', 'STO')))
for quantity, part in zip((120.0, 75.0, 13.05, 40.0), PARTS):
    stock.lines.new(product=part, quantity=quantity, expected_quantity=0.0)
stock.save()
stock.click('confirm')

purchase(SUPPLIERS[0], TERM, PARTS[:2])
purchase(SUPPLIERS[1], TERM, PARTS[1:3], 'quote')
purchase(SUPPLIERS[2], TERM, PARTS[2:], 'quote', 'confirm')
purchase(SUPPLIERS[3], TERM, PARTS[:1], 'cancel')

bom = Model.get('production.bom')(name='Pump assembly')
for part, quantity in ((PARTS[0], 2.0), (PARTS[1], 1.0)):
    bom.inputs.new(product=part, quantity=quantity, uom=part.default_uom)
bom.outputs.new(product=PUMP, quantity=1.0, uom=PUMP.default_uom)
bom.save()
PUMP.boms.new(bom=bom)
PUMP.save()
order = create('production', product=PUMP, bom=bom, quantity=2.0, planned_date=TODAY)
order.click('wait')

user('agent', 'Purchase', 'Purchase Amendment', 'Stock', 'Production', 'Product Administration')
user('reader', 'Stock')
user('locked', 'Stock')
