-- AdventureWorks' purchasing and stock tables in MariaDB.

CREATE TABLE unitmeasure (unitmeasurecode varchar(3) PRIMARY KEY, name varchar(50) NOT NULL, modifieddate datetime(3) NOT NULL);

CREATE TABLE productcategory (productcategoryid integer PRIMARY KEY, name varchar(50) NOT NULL, modifieddate datetime(3) NOT NULL);

CREATE TABLE productsubcategory (
  productsubcategoryid integer PRIMARY KEY, productcategoryid integer NOT NULL,
  name varchar(50) NOT NULL, modifieddate datetime(3) NOT NULL,
  FOREIGN KEY (productcategoryid) REFERENCES productcategory (productcategoryid));

CREATE TABLE location (
  locationid integer PRIMARY KEY, name varchar(50) NOT NULL, costrate decimal(10,4) NOT NULL, availability decimal(8,2) NOT NULL,
  modifieddate datetime(3) NOT NULL);

CREATE TABLE shipmethod (
  shipmethodid integer PRIMARY KEY, name varchar(50) NOT NULL, shipbase decimal(19,4) NOT NULL, shiprate decimal(19,4) NOT NULL,
  modifieddate datetime(3) NOT NULL);

CREATE TABLE vendor (
  businessentityid integer PRIMARY KEY, accountnumber varchar(15) NOT NULL UNIQUE, name varchar(50) NOT NULL, creditrating integer NOT NULL,
  preferredvendorstatus boolean NOT NULL, activeflag boolean NOT NULL, purchasingwebserviceurl varchar(1024),
  modifieddate datetime(3) NOT NULL);

CREATE TABLE product (
  productid integer PRIMARY KEY, name varchar(50) NOT NULL, productnumber varchar(25) NOT NULL UNIQUE, makeflag boolean NOT NULL,
  finishedgoodsflag boolean NOT NULL, color varchar(15), safetystocklevel integer NOT NULL, reorderpoint integer NOT NULL,
  standardcost decimal(19,4) NOT NULL, listprice decimal(19,4) NOT NULL, size varchar(5), sizeunitmeasurecode varchar(3),
  weightunitmeasurecode varchar(3), weight decimal(8,2), daystomanufacture integer NOT NULL, productline varchar(2), class varchar(2),
  style varchar(2), productsubcategoryid integer, productmodelid integer,
  sellstartdate datetime(3) NOT NULL, sellenddate datetime(3), discontinueddate datetime(3), modifieddate datetime(3) NOT NULL,
  FOREIGN KEY (sizeunitmeasurecode) REFERENCES unitmeasure (unitmeasurecode),
  FOREIGN KEY (weightunitmeasurecode) REFERENCES unitmeasure (unitmeasurecode),
  FOREIGN KEY (productsubcategoryid) REFERENCES productsubcategory (productsubcategoryid));

CREATE TABLE productinventory (
  productid integer NOT NULL, locationid integer NOT NULL,
  shelf varchar(10) NOT NULL, bin integer NOT NULL, quantity integer NOT NULL CHECK (quantity >= 0), modifieddate datetime(3) NOT NULL,
  PRIMARY KEY (productid, locationid),
  FOREIGN KEY (productid) REFERENCES product (productid),
  FOREIGN KEY (locationid) REFERENCES location (locationid));

CREATE TABLE productvendor (
  productid integer NOT NULL, businessentityid integer NOT NULL,
  averageleadtime integer NOT NULL, standardprice decimal(19,4) NOT NULL, lastreceiptcost decimal(19,4), lastreceiptdate datetime(3),
  minorderqty integer NOT NULL, maxorderqty integer NOT NULL, onorderqty integer, unitmeasurecode varchar(3) NOT NULL,
  modifieddate datetime(3) NOT NULL, PRIMARY KEY (productid, businessentityid),
  FOREIGN KEY (productid) REFERENCES product (productid),
  FOREIGN KEY (businessentityid) REFERENCES vendor (businessentityid),
  FOREIGN KEY (unitmeasurecode) REFERENCES unitmeasure (unitmeasurecode));

-- employeeid may be null: who orders through Gantry need be no employee. external_ref holds the key of such an order.
CREATE TABLE purchaseorderheader (
  purchaseorderid integer AUTO_INCREMENT PRIMARY KEY, revisionnumber integer NOT NULL DEFAULT 0, status integer NOT NULL DEFAULT 1 CHECK (status BETWEEN 1 AND 4),
  employeeid integer, vendorid integer NOT NULL, shipmethodid integer NOT NULL DEFAULT 5,
  orderdate datetime(3) NOT NULL, shipdate datetime(3), subtotal decimal(19,4) NOT NULL DEFAULT 0, taxamt decimal(19,4) NOT NULL DEFAULT 0,
  freight decimal(19,4) NOT NULL DEFAULT 0, totaldue decimal(19,4) GENERATED ALWAYS AS (subtotal + taxamt + freight) STORED,
  modifieddate datetime(3) NOT NULL, external_ref varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE,
  FOREIGN KEY (vendorid) REFERENCES vendor (businessentityid),
  FOREIGN KEY (shipmethodid) REFERENCES shipmethod (shipmethodid));

CREATE INDEX purchaseorderheader_modified ON purchaseorderheader (modifieddate, purchaseorderid);

CREATE INDEX purchaseorderheader_vendor ON purchaseorderheader (vendorid);

CREATE TABLE purchaseorderdetail (
  purchaseorderdetailid integer AUTO_INCREMENT PRIMARY KEY, purchaseorderid integer NOT NULL,
  duedate datetime(3) NOT NULL, orderqty integer NOT NULL CHECK (orderqty > 0), productid integer NOT NULL,
  unitprice decimal(19,4) NOT NULL CHECK (unitprice >= 0), linetotal decimal(19,4) GENERATED ALWAYS AS (orderqty * unitprice) STORED,
  receivedqty decimal(8,2) NOT NULL DEFAULT 0, rejectedqty decimal(8,2) NOT NULL DEFAULT 0,
  stockedqty decimal(9,2) GENERATED ALWAYS AS (receivedqty - rejectedqty) STORED, modifieddate datetime(3) NOT NULL,
  FOREIGN KEY (purchaseorderid) REFERENCES purchaseorderheader (purchaseorderid),
  FOREIGN KEY (productid) REFERENCES product (productid));

CREATE INDEX purchaseorderdetail_order ON purchaseorderdetail (purchaseorderid, purchaseorderdetailid);

CREATE TABLE gantry_inbox (
  idempotency_key varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, entity varchar(60) NOT NULL, operation varchar(60) NOT NULL, record_id varchar(512),
  received_at datetime NOT NULL) ENGINE=InnoDB;
