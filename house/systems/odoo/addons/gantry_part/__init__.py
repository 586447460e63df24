"""An Odoo module for the driver's conformance suite: a table with ties and nulls, a call that takes its time, and a model of a million records
that costs the server nothing to keep. Odoo has no exact numbers: the price is a text."""
import time

from odoo import api, fields, models


class Part(models.Model):
    _name = 'gantry.part'
    _description = 'Part'
    _order = 'part_id'

    part_id = fields.Integer('Number', required=True)
    name = fields.Char('Name', required=True)
    price = fields.Char('Price')
    category = fields.Char('Category')
    changed = fields.Datetime('Changed', required=True)

    _taken = models.Constraint('unique(part_id)', 'There is a part of this number already.')

    @api.model
    def slow(self):
        time.sleep(20)
        return [{'one': 1}]

    @api.model
    def add(self, values):
        return {'part_id': self.create(values).part_id, 'count': 1}

    @api.model
    def rename(self, part_id, name):
        parts = self.search([('part_id', '=', part_id)])
        parts.name = name
        return len(parts)


class Many(models.Model):
    _name = 'gantry.many'
    _description = 'Many'
    _auto = False

    @api.model
    def search_read(self, domain=None, fields=None, offset=0, limit=None, order=None, **read_kwargs):
        first = max([0] + [condition[2] for condition in domain or []])
        return [{'id': i} for i in range(first + 1, min(first + (limit or 1000), 1000000) + 1)]
